{#- Score interval of the difference of two independent shares, first less second (Newcombe 1998, Statistics in
    Medicine 17:873, method 10), from the two shares and their Wilson bounds; it cannot leave [-1, 1]. Rounded.
    NULL where either share is missing. `side` is 'lower' or 'upper'. -#}
{% macro difference_bound(rate_1, lower_1, upper_1, rate_2, lower_2, upper_2, side) -%}
    {%- set below -%}
        ({{ rate_1 }} - {{ lower_1 }}) * ({{ rate_1 }} - {{ lower_1 }})
        + ({{ upper_2 }} - {{ rate_2 }}) * ({{ upper_2 }} - {{ rate_2 }})
    {%- endset -%}
    {%- set above -%}
        ({{ upper_1 }} - {{ rate_1 }}) * ({{ upper_1 }} - {{ rate_1 }})
        + ({{ rate_2 }} - {{ lower_2 }}) * ({{ rate_2 }} - {{ lower_2 }})
    {%- endset -%}
    {%- if side == 'lower' -%}
    {{ stable(rate_1 ~ " - " ~ rate_2 ~ " - sqrt(" ~ below ~ ")") }}
    {%- else -%}
    {{ stable(rate_1 ~ " - " ~ rate_2 ~ " + sqrt(" ~ above ~ ")") }}
    {%- endif -%}
{%- endmacro %}

{#- A difference in words, by its interval. NULL where there is none. -#}
{% macro difference_in_words(lower, upper) -%}
    case
        when {{ lower }} > 0 then 'higher'
        when {{ upper }} < 0 then 'lower'
        when {{ lower }} is not null and {{ upper }} is not null then 'no detectable difference'
    end
{%- endmacro %}
