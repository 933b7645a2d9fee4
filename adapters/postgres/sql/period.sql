-- The lowest id from @from on, and the highest id before @until. Null stands for none.
select
    (select id from codes where date >= @from::timestamptz order by date, id limit 1),
    (select id from codes where date < @until::timestamptz order by date desc, id desc limit 1)
