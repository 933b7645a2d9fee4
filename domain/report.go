package domain

import "time"

// Import is what was recorded of a POST to /useradd.
type Import struct {
	Count

	ID          int64
	Status      int // the HTTP status it was answered with
	Method      string
	Date        time.Time
	Description string
	Token       string // name of the access token that sent it; empty for none
	User        string // login of the user who sent it; empty for none, and when the account is gone
	Unkept      int    // rejections that were counted, and are not among those that can be read
}

// Count is what imports did.
type Count struct {
	Imports    int // how many imports there were
	Registered int // accounts that were made
	Rejected   int // objects that were refused
}

// Add adds another count.
func (c *Count) Add(other Count) {
	c.Imports += other.Imports
	c.Registered += other.Registered
	c.Rejected += other.Rejected
}

// Reason is why objects are refused: a violation without its limit.
type Reason struct {
	Field Field
	Code  Code
}

// ReportFilter chooses imports, and of these the refused objects. Its zero value chooses all.
type ReportFilter struct {
	Import int64     // the only one, by its id
	From   time.Time // not before
	Until  time.Time // before
	Status int
	Reason Reason // imports that refused an object for this reason, and these objects
	Login  string // imports that refused an object with this login, by its LoginKey, and these objects
}

// Statistics is what imports did over time.
type Statistics struct {
	Days     []DayCount // of the last StatisticsDays, today being the last; each of them is there
	All      Count
	Reasons  []ReasonCount // of the same days, the most frequent first
	Statuses []int         // that imports were answered with, in ascending order
}

// StatisticsDays is how many days Statistics tells one by one.
const StatisticsDays = 30

// Last is what imports did in the last days.
func (s *Statistics) Last(days int) Count {
	var sum Count
	for _, day := range s.Days[max(0, len(s.Days)-days):] {
		sum.Add(day.Count)
	}
	return sum
}

// DayCount is what imports did on a day.
type DayCount struct {
	Count

	Day Date
}

// ReasonCount is how many objects were refused for a reason.
type ReasonCount struct {
	Reason

	Records int
}
