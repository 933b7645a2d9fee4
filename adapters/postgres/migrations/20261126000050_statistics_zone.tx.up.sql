-- The zone whose days the statistics have. It is unknown until a server of this version starts, which counts the days of its zone.
CREATE TABLE statistics_zone (
    id   boolean PRIMARY KEY DEFAULT true CHECK (id), -- one row at most
    zone text NOT NULL
);

COMMENT ON TABLE statistics_zone IS 'the time zone whose days are in statistics, reason_statistics and codes.uncounted_day';
