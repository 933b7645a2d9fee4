-- The newest imports that rejected a record for the reason (@field, @code); optionally only those with a status.
-- Each step of the recursion looks up one import: it skips to the next one that has both the reason and the status.
with recursive found (id) as (
    (select r.code_id
    from code_reasons r
    where (r.field, r.code, r.code_id) between (@field::text, @code::text, @lowest::bigint) and (@field, @code, @highest::bigint)
    order by r.field desc, r.code desc, r.code_id desc
    limit 1)
    union all
    select (
        select r.code_id
        from code_reasons r
        where (r.field, r.code, r.code_id) between (@field, @code, @lowest) and (@field, @code, with_status.id)
        order by r.field desc, r.code desc, r.code_id desc
        limit 1)
    from found
        cross join lateral (
            select case when @status::int is null then found.id - 1 else coalesce((
                select c.id
                from codes c
                where (c.code, c.id) between (@status, @lowest) and (@status, found.id - 1)
                order by c.code desc, c.id desc
                limit 1), 0) end
        ) with_status (id)
    where found.id is not null
), page as (
    select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
    from found
        cross join lateral (select * from codes where codes.id = found.id offset 0) c
    where (@status::int is null or c.code = @status)
        and (@from::timestamptz is null or c.date >= @from)
        and (@until::timestamptz is null or c.date < @until)
    limit @limit
)
select * from page order by id desc
