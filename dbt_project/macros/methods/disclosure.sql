{#- Nearest multiple of the base; whole numbers only, so that nothing lies half way for a base of 5. -#}
{% macro rounded_to_base(count, base) -%}
    cast(floor(({{ to_double(count) }} + floor({{ base }} / 2.0)) / {{ base }}) * {{ base }} as bigint)
{%- endmacro %}

{#- "90% and over": the highest band in which `room` unmet cases would still lie, from the rounded base. -#}
{% macro open_band_high(rounded_base, room) -%}
    case
        {%- for limit in [95, 90, 80, 70, 60, 50] %}
        when {{ rounded_base }} * {{ 100 - limit }} >= 100 * ({{ room }}) then '{{ limit }}% and over'
        {%- endfor %}
    end
{%- endmacro %}

{#- The mirror, "up to 10%": the lowest band in which `room` met cases would still lie. -#}
{% macro open_band_low(rounded_base, room) -%}
    case
        {%- for limit in [5, 10, 20, 30, 40, 50] %}
        when {{ rounded_base }} * {{ limit }} >= 100 * ({{ room }}) then 'up to {{ limit }}%'
        {%- endfor %}
    end
{%- endmacro %}
