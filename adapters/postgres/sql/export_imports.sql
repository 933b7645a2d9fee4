-- The imports that a filter chooses, in the order of their ids.
-- The plan knows the parameters: a condition whose parameter is null costs nothing.
select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
from codes c
where (@import::bigint is null or c.id = @import)
    and (@from::timestamptz is null or c.date >= @from)
    and (@until::timestamptz is null or c.date < @until)
    and (@status::int is null or c.code = @status)
order by c.id
