-- The rejections of the import @import, in the order of the records' numbers.
-- The plan knows the parameters: a condition whose parameter is null costs nothing.
select
    b.code_id, b.object_id, b.sheet, coalesce(b.line, 0), b.login, b.description,
    case when @violations then b.violations::text end,
    case when @originals then b.original::text end
from bad_users b
where b.code_id = @import
    and exists (
        select from codes c
        where c.id = @import
            and (@from::timestamptz is null or c.date >= @from)
            and (@until::timestamptz is null or c.date < @until)
            and (@status::int is null or c.code = @status))
    and (@login::text is null or b.login_key = @login)
    and (@reason::jsonb is null or b.violations @> @reason)
order by b.code_id, b.object_id
