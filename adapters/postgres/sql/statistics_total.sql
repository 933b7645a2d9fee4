-- All imports since the first.
select coalesce(sum(imports), 0)::bigint, coalesce(sum(registered), 0)::bigint, coalesce(sum(rejected), 0)::bigint
from (
    select requests, created, refused from statistics
    union all
    select 1, created, refused from codes where uncounted_day is not null
) counts (imports, registered, rejected)
