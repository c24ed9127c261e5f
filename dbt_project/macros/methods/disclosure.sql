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

{#- What may be published of each exact cell: rules 1 to 4, and no more than the cell's level allows. A whole select.

    `cells` is a relation with, of each cell:
      base_count, met_count    exact; met_count is null for a metric that is a count
      is_reported              is there a figure?
      suppression_level        0 as the rules have it, 1 the rate only as a band, 2 the base only, 3 nothing
      and the columns of rules_columns(), from int_disclosure_rules
    Other names of the two counts are given as `base` and `met`.
    Every row comes back with the columns of `cells` and
      public_base_count, public_met_count                           rounded
      public_rate_percent, public_rate_is_about                     from the rounded counts
      public_rate_lower_percent, public_rate_upper_percent          Wilson, of the rounded counts, rounded outwards
      public_rate_band                                              open where a side is small, else closed
      published_as                                                  value, about, band, base, suppressed or null
    A metric that is a count has its count as public_base_count, and is withheld at level 3 only. -#}
{% macro published_forms(cells, base="base_count", met="met_count") -%}
    with rounded as (

        select
            cells.*,
            cells.{{ base }} - cells.{{ met }} as unmet_count,
            {{ rounded_to_base("cells." ~ base, "cells.rounding_base") }} as rounded_base,
            {{ rounded_to_base("cells." ~ met, "cells.rounding_base") }} as rounded_met
        from {{ cells }} as cells

    ),

    judged as (

        select
            rounded.*,
            -- rule 1: a small count is withheld, whatever it is part of
            coalesce(is_reported and {{ base }} > suppress_max and suppression_level < 3, false) as has_base,
            -- rule 3: met or unmet is small, or so near to it that the rounded counts stand one step apart
            -- (docs/decisions/0007)
            {{ is_one_side_small(base, met) }} as is_one_side_small,
            cast(suppress_max + 1 + floor(rounding_base / 2.0) as integer) as band_room
        from rounded

    ),

    formed as (

        select
            judged.*,
            case
                when not is_reported then null
                when not has_base then 'suppressed'
                when {{ met }} is null then 'value'
                when suppression_level >= 2 then 'base'
                when is_one_side_small and unmet_count <= suppress_max and {{ met }} <= suppress_max then 'base'
                when is_one_side_small and rounded_base * 50 < 100 * band_room then 'base'
                when is_one_side_small then 'open_band'
                when suppression_level = 0 and rounded_base >= whole_percent_n_min then 'value'
                when suppression_level = 0 and rounded_base >= about_percent_n_min then 'about'
                -- hardly a table of such a base lies in "80% and over", and none of a smaller one: neither it nor the
                -- band beside it is given
                when
                    rounded_base >= about_percent_n_min and rounded_base * 20 < 100 * band_room
                    and 100 * {{ met }} >= 50 * {{ base }}
                    then 'base'
                when rounded_base >= closed_band_n_min then 'closed_band'
                else 'base'
            end as form
        from judged

    ),

    public_counts as (

        select
            formed.*,
            case when has_base then rounded_base end as public_base_count,
            case when form in ('value', 'about') then rounded_met end as public_met_count
        from formed

    )

    select
        public_counts.*,
        {{ rounded_rate_percent("public_met_count", "public_base_count", "whole_percent_n_min") }}
            as public_rate_percent,
        case when public_met_count is not null then form = 'about' end as public_rate_is_about,
        {{ interval_percent("public_met_count", "public_base_count", "interval_z", "lower") }}
            as public_rate_lower_percent,
        {{ interval_percent("public_met_count", "public_base_count", "interval_z", "upper") }}
            as public_rate_upper_percent,
        case
            when form = 'open_band' and rounded_base - rounded_met <= rounded_met
                then {{ open_band_high("rounded_base", "band_room") }}
            when form = 'open_band' then {{ open_band_low("rounded_base", "band_room") }}
            when form = 'closed_band' and 100 * {{ met }} < 50 * {{ base }} then 'under 50%'
            when form = 'closed_band' and 100 * {{ met }} < 80 * {{ base }} then '50% to 79%'
            when form = 'closed_band' then '80% and over'
        end as public_rate_band,
        case when form in ('open_band', 'closed_band') then 'band' else form end as published_as
    from public_counts
{%- endmacro %}

{#- Is a side of a cell small, or so near to it that the rounded counts stand one step apart? From exact counts and
    their rounded ones (docs/decisions/0007). -#}
{% macro is_one_side_small(base, met, rounded_base="rounded_base", rounded_met="rounded_met") -%}
    ({{ met }} <= suppress_max
    or {{ base }} - {{ met }} <= suppress_max
    or {{ rounded_base }} - {{ rounded_met }} <= rounding_base
    or {{ rounded_met }} <= rounding_base)
{%- endmacro %}

{#- Rate of two rounded counts: a whole percent from a base of `whole_percent_n_min`, below it to the nearest 10. -#}
{% macro rounded_rate_percent(met, base, whole_percent_n_min) -%}
    case
        when {{ met }} is not null and {{ base }} >= {{ whole_percent_n_min }}
            then cast(floor(100.0 * {{ met }} / nullif({{ to_double(base) }}, 0) + 0.5) as integer)
        when {{ met }} is not null
            then cast(floor(10.0 * {{ met }} / nullif({{ to_double(base) }}, 0) + 0.5) * 10 as integer)
    end
{%- endmacro %}

{#- Wilson bound of two rounded counts in whole percent, rounded outwards. Nothing unrounded may come in here: two
    limits of exact counts give back both. -#}
{% macro interval_percent(met, base, z, side) -%}
    cast({{ 'floor' if side == 'lower' else 'ceil' }}(
        {{ stable("100.0 * " ~ wilson_bound(met, base, z, side), 6) }}
    ) as integer)
{%- endmacro %}

{#- Why a cell has no figure: z not applicable, w not submitted, x not available, c confidential; null where it has. -#}
{% macro observation_status(figure_status, published_as) -%}
    case
        when {{ figure_status }} = 'not_applicable' then 'z'
        when {{ figure_status }} in ('not_submitted', 'incomplete') then 'w'
        when {{ figure_status }} = 'not_collected' then 'x'
        when {{ published_as }} in ('value', 'about') then null
        -- nothing happened, and nothing could be identified: still withheld, as any count up to seven is
        else 'c'
    end
{%- endmacro %}

{#- The columns of int_disclosure_rules that published_forms() reads, as a list of a select. -#}
{% macro rules_columns(alias) -%}
    {{ alias }}.disclosure_rule_version,
    {{ alias }}.suppress_max,
    {{ alias }}.rounding_base,
    {{ alias }}.whole_percent_n_min,
    {{ alias }}.about_percent_n_min,
    {{ alias }}.closed_band_n_min,
    {{ alias }}.interval_z
{%- endmacro %}

{#- Does a new value of a cell stand (rule 10)? Only if the base or the cases met differ from what was published by at
    least `least`: a smaller revision would say what a few people are. -#}
{% macro is_large_revision(base, met, earlier_base, earlier_met, least) -%}
    (abs({{ base }} - {{ earlier_base }}) >= {{ least }}
    or coalesce(abs({{ met }} - {{ earlier_met }}), 0) >= {{ least }})
{%- endmacro %}

{#- The area of a published row; a national force is its own area. -#}
{% macro public_area_code(pfa_code, body_kind) -%}
    case when {{ pfa_code }} = 'NAT' then upper({{ body_kind }}) else {{ pfa_code }} end
{%- endmacro %}

{#- Does the band tell the rate within 20 points? -#}
{% macro is_narrow_band(band) -%}
    {{ band }} in (
        '80% and over', '90% and over', '95% and over', 'up to 5%', 'up to 10%', 'up to 20%'
    )
{%- endmacro %}
