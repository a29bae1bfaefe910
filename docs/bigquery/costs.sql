select
  label.value as node,
  count(*) as jobs,
  round(sum(total_bytes_billed) / pow(2, 40) * 6.25, 2) as usd,
  round(sum(total_slot_ms) / 1000 / 3600, 2) as slot_hours
from `region-eu`.INFORMATION_SCHEMA.JOBS, unnest(labels) as label
where label.key = 'node' -- or repository, workflow, run_id, target
  and creation_time >= timestamp_sub(current_timestamp(), interval 7 day)
  and (statement_type is null or statement_type != 'SCRIPT') -- the statements in it are jobs of their own
group by node
order by usd desc
