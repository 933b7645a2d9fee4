-- Imports no longer update statistics themselves. Each marks its row with the day it belongs to, and a sweep adds the marked rows to
-- the statistics and clears the marks. The previous version, which updates the statistics itself, leaves the column null.
ALTER TABLE codes ADD COLUMN uncounted_day date;

COMMENT ON COLUMN codes.uncounted_day IS 'the day whose statistics do not include the import yet; null once they do';

CREATE INDEX codes_uncounted ON codes (uncounted_day) WHERE uncounted_day IS NOT NULL;
