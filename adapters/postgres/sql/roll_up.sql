-- Adds up to @limit uncounted imports to the statistics, and returns their number.
--
-- Shard -1 is this version's. The previous version writes shards from 0, and may run beside this one: with shards of their own the two
-- never wait for each other. Readers add up all shards.
with claimed as (
    select id, uncounted_day as day
    from codes
    where uncounted_day is not null
    limit @limit
    for no key update skip locked
), counted as (
    update codes set uncounted_day = null
    from claimed
    where codes.id = claimed.id
    returning codes.id, claimed.day, codes.created, codes.refused
), by_day as (
    insert into statistics (day, shard, requests, created, refused)
    select day, -1, count(*), sum(created), sum(refused)
    from counted
    group by day
    on conflict (day, shard) do update set
        requests = statistics.requests + excluded.requests,
        created = statistics.created + excluded.created,
        refused = statistics.refused + excluded.refused
), by_reason as (
    insert into reason_statistics (day, shard, field, code, objects)
    select counted.day, -1, r.field, r.code, sum(r.objects)
    from counted
        cross join lateral (select field, code, objects from code_reasons where code_id = counted.id offset 0) r
    group by counted.day, r.field, r.code
    on conflict (day, shard, field, code) do update set
        objects = reason_statistics.objects + excluded.objects
)
select count(*) from counted
