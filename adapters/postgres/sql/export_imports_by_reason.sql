-- The imports that rejected a record for the reason (@field, @code), in the order of their ids.
-- The plan knows the parameters: a condition whose parameter is null costs nothing.
select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
from codes c
where exists (select from code_reasons r where r.code_id = c.id and r.field = @field and r.code = @code)
    and (@import::bigint is null or c.id = @import)
    and (@from::timestamptz is null or c.date >= @from)
    and (@until::timestamptz is null or c.date < @until)
    and (@status::int is null or c.code = @status)
order by c.id
