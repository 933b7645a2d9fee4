-- The newest imports with the status @status.
-- Comparing (code, id) as a row makes the planner read the index codes_code, however frequent it believes the status to be.
select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
from codes c
where (c.code, c.id) between (@status::int, @lowest::bigint) and (@status, @highest::bigint)
    and (@from::timestamptz is null or c.date >= @from)
    and (@until::timestamptz is null or c.date < @until)
order by c.code desc, c.id desc
limit @limit
