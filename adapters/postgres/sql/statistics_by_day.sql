-- The imports of each day from @first to @last. Days are numbered from 1970-01-01, as in the domain.
-- An import is either in statistics or has uncounted_day; one snapshot sees it in exactly one place.
select day - date '1970-01-01', sum(imports)::bigint, sum(registered)::bigint, sum(rejected)::bigint
from (
    select day, requests, created, refused
    from statistics
    where day between date '1970-01-01' + @first::int and date '1970-01-01' + @last::int
    union all
    select uncounted_day, 1, created, refused
    from codes
    where uncounted_day between date '1970-01-01' + @first::int and date '1970-01-01' + @last::int
) counts (day, imports, registered, rejected)
group by day
