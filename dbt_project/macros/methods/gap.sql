{#- How many more of n cases would have had to be good for x of n to reach a benchmark of benchmark_x of benchmark_n:
    ceil(B n - x), nothing where the benchmark is reached already. Whole numbers throughout: with a rate in floating
    point a gap of exactly 3 may come out as 4. NULL where either side has no cases. -#}
{% macro gap_in_victims(x, n, benchmark_x, benchmark_n) -%}
    {%- set short = "(" ~ benchmark_x ~ " * " ~ n ~ " - " ~ x ~ " * " ~ benchmark_n ~ ")" -%}
    {%- set raised = "(" ~ short ~ " + " ~ benchmark_n ~ " - 1)" -%}
    case
        when {{ n }} > 0 and {{ benchmark_n }} > 0 and {{ short }} <= 0 then 0
        -- what is divided is a multiple of the divisor, so that the rounding only takes away what a double adds
        when {{ n }} > 0 and {{ benchmark_n }} > 0
            then
                cast(round(
                    {{ to_double(raised ~ " - mod(" ~ raised ~ ", " ~ benchmark_n ~ ")") }}
                    / nullif({{ benchmark_n }}, 0)
                ) as bigint)
    end
{%- endmacro %}

{#- A share of at most six decimals as a whole number of millionths, so that it can be compared without rounding. -#}
{% macro in_millionths(share) -%}
    cast(round({{ to_double(share) }} * 1000000) as bigint)
{%- endmacro %}
