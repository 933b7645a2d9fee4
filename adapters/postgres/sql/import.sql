-- The import @import and the login of the user who sent it; empty for any other sender.
select c.id, c.code, c.method, c.date, c.description, c.created, c.refused, c.token, c.unkept, coalesce(u.login, '')
from codes c
    left join users u on u.id = c.user_id
where c.id = @import
