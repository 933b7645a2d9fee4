-- The imports that rejected a record with the login @login, in the order of their ids; optionally only those that rejected it for a
-- reason.
-- The plan knows the parameters: a condition whose parameter is null costs nothing.
select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
from codes c
where exists (
        select from bad_users b
        where b.code_id = c.id and b.login_key = @login and (@reason::jsonb is null or b.violations @> @reason))
    and (@import::bigint is null or c.id = @import)
    and (@from::timestamptz is null or c.date >= @from)
    and (@until::timestamptz is null or c.date < @until)
    and (@status::int is null or c.code = @status)
order by c.id
