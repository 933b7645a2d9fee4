package domain

import "time"

// An Import is the record of an import.
type Import struct {
	Count

	ID          int64
	Status      int    // that it was answered with
	Method      string // by which it was sent
	Date        time.Time
	Description string
	Token       string // name of the access token that sent it; empty for none
	User        string // login of the user who sent it; empty for none or a deleted account
	Unkept      int    // number of rejections that are counted but not stored
}

// Count sums up imports.
type Count struct {
	Imports    int
	Registered int // records
	Rejected   int // records
}

// Add adds another count.
func (c *Count) Add(other Count) {
	c.Imports += other.Imports
	c.Registered += other.Registered
	c.Rejected += other.Rejected
}

// A Reason is the reason of a rejection: a violation without its limit.
type Reason struct {
	Field Field
	Code  Code
}

// A ReportFilter selects imports, and rejections of these. Its zero value selects all.
type ReportFilter struct {
	Import int64     // id of the only import; 0 for all
	From   time.Time // earliest date; zero for none
	Until  time.Time // end of the dates, exclusive; zero for none
	Status int       // of the imports; 0 for all
	Reason Reason    // selects imports that rejected a record for this reason, and these rejections
	Login  string    // LoginKey; selects imports that rejected a record with this login, and these rejections
}

// Statistics sum up imports over time.
type Statistics struct {
	Days     []DayCount // each of the last StatisticsDays, today last
	All      Count
	Reasons  []ReasonCount // of the same days, the most frequent first
	Statuses []int         // that imports were answered with, in ascending order
}

// StatisticsDays is the number of days that Statistics have a count for.
const StatisticsDays = 30

// Last returns the sum of the last days.
func (s *Statistics) Last(days int) Count {
	var sum Count
	for _, day := range s.Days[max(0, len(s.Days)-days):] {
		sum.Add(day.Count)
	}
	return sum
}

// A DayCount sums up the imports of a day.
type DayCount struct {
	Count

	Day Date
}

// A ReasonCount is the number of records that were rejected for a reason.
type ReasonCount struct {
	Reason

	Records int
}
