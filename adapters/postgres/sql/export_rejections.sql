-- The rejections of all imports, in the order of the imports' ids and the records' numbers.
-- Converting jsonb to text takes half of the time, so a format that does not use it does not ask for it.
-- The plan knows the parameters: a condition whose parameter is null costs nothing.
select
    b.code_id, b.object_id, b.sheet, coalesce(b.line, 0), b.login, b.description,
    case when @violations then b.violations::text end,
    case when @originals then b.original::text end
from bad_users b
where (@login::text is null or b.login_key = @login)
    and (@reason::jsonb is null or b.violations @> @reason)
order by b.code_id, b.object_id
