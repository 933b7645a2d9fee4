-- The newest imports whose ids are from @lowest to @highest, optionally only those of a period.
-- Ids have the order of dates, so the primary key finds a page of any period.
select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
from codes c
where c.id between @lowest::bigint and @highest::bigint
    and (@from::timestamptz is null or c.date >= @from)
    and (@until::timestamptz is null or c.date < @until)
order by c.id desc
limit @limit
