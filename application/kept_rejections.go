package application

import (
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// maxNoRecords is the number of stored rejections of one import that are no records at all. There is nothing in them to correct.
	maxNoRecords = 1000

	// keptBytes and keptGrowth bound the stored rejections of an import: keptBytes plus keptGrowth times the size of the request. A record
	// of two bytes has five violations, and compression makes it even smaller. Files of people stay far below the bound: a stored
	// rejection takes about 600 bytes, and its record 30 or more of a compressed request.
	keptBytes  = 16 << 10
	keptGrowth = 75

	// rowBytes is the approximate size of a row of bad_users with its indexes, without its texts. violationBytes is that of a violation in
	// it.
	rowBytes       = 300
	violationBytes = 50
)

// keptRejections decides which rejections of an import are stored. Beyond its bounds they are only counted.
type keptRejections struct {
	noRecords int   // number of those stored that are no records
	room      int64 // remaining bytes
}

func newKeptRejections(request *ports.ImportRequest) keptRejections {
	sent := request.Sent
	if sent == 0 {
		sent = request.File.Size()
	}
	return keptRejections{room: keptBytes + keptGrowth*sent}
}

// reject returns the rejection of a record. One that is only counted has neither description nor original.
func (k *keptRejections) reject(o *domain.Record, violations domain.Violations, sentences ports.Sentences) domain.Rejection {
	counted := domain.Rejection{Record: o.Number, Violations: violations, CountedOnly: true}
	isRecord := !violations.OfNoRecord()
	if isRecord && k.room < 0 || !isRecord && k.noRecords == maxNoRecords {
		return counted
	}
	kept := domain.Rejection{
		Place: o.Place, Record: o.Number, Login: o.Login, Violations: violations, Description: sentences.Describe(violations), Original: o.Original,
	}
	k.room -= int64(rowBytes + violationBytes*len(violations) + 2*len(kept.Login) + len(kept.Sheet) + len(kept.Description) + len(kept.Original))
	if !isRecord {
		k.noRecords++
	}
	return kept
}
