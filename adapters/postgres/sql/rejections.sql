-- The records that the import @import rejected, after the record @after; optionally only those rejected for a reason.
select b.code_id, b.object_id, coalesce(b.sheet, ''), coalesce(b.line, 0), coalesce(b.login, ''), b.description, b.violations,
    case when @originals then b.original::text end
from bad_users b
where b.code_id = @import
    and b.object_id > @after
    and (@reason::jsonb is null or b.violations @> @reason)
order by b.object_id
limit @limit
