-- The oldest imports that rejected a record with the login @login; optionally only those with a status, and those that rejected
-- such a record for a reason.
--
-- One import can reject a login a million times. A login, a status and a reason can each be frequent and never meet. So each step of
-- the recursion looks up one import in each index: it skips to the next import that has the status and the reason, too.
-- "offset 0" makes the planner check one import after the other instead of reading whole tables.
with recursive found (id) as (
    (select b.code_id
    from bad_users b
    where (b.login_key, b.code_id) between (@login::text, @lowest::bigint) and (@login, @highest::bigint)
    order by b.login_key asc, b.code_id asc
    limit 1)
    union all
    select (
        select b.code_id
        from bad_users b
        where (b.login_key, b.code_id) between (@login, greatest(with_status.id, with_reason.id)) and (@login, @highest)
        order by b.login_key asc, b.code_id asc
        limit 1)
    from found
        cross join lateral (
            select case when @status::int is null then found.id + 1 else coalesce((
                select c.id
                from codes c
                where (c.code, c.id) between (@status, found.id + 1) and (@status, @highest)
                order by c.code asc, c.id asc
                limit 1), 9223372036854775807) end
        ) with_status (id)
        cross join lateral (
            select case when @field::text is null then found.id + 1 else coalesce((
                select r.code_id
                from code_reasons r
                where (r.field, r.code, r.code_id) between (@field, @code::text, found.id + 1) and (@field, @code::text, @highest)
                order by r.field asc, r.code asc, r.code_id asc
                limit 1), 9223372036854775807) end
        ) with_reason (id)
    where found.id is not null
), page as (
    select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept
    from found
        cross join lateral (select * from codes where codes.id = found.id offset 0) c
    where (@status::int is null or c.code = @status)
        and (@from::timestamptz is null or c.date >= @from)
        and (@until::timestamptz is null or c.date < @until)
        and (@field::text is null or exists (
            select from code_reasons r where r.code_id = c.id and r.field = @field and r.code = @code offset 0))
        and (@reason::jsonb is null or exists (
            select from bad_users b where b.code_id = c.id and b.login_key = @login and b.violations @> @reason offset 0))
    limit @limit
)
select * from page order by id asc
