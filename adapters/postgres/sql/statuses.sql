-- The statuses that imports have, in ascending order. Each step of the recursion is one index lookup.
with recursive status (code) as (
    (select code from codes order by code limit 1)
    union all
    (select (select c.code from codes c where c.code > status.code order by c.code limit 1) from status where code is not null)
)
select code from status where code is not null
