-- The rejected records of the days from @first to @last by reason, the most frequent reason first.
-- "offset 0" keeps the planner from joining the whole of code_reasons.
select field, code, sum(records)::bigint
from (
    select field, code, objects
    from reason_statistics
    where day between date '1970-01-01' + @first::int and date '1970-01-01' + @last::int
    union all
    select r.field, r.code, r.objects
    from codes c
        cross join lateral (select field, code, objects from code_reasons where code_id = c.id offset 0) r
    where c.uncounted_day between date '1970-01-01' + @first::int and date '1970-01-01' + @last::int
) counts (field, code, records)
group by field, code
order by 3 desc, field, code
