package application

import (
	"rollcall/domain"
	"rollcall/ports"
)

const (
	// maxNoRecords is how many records an import keeps that are no records at all. They have nothing to be mended.
	maxNoRecords = 1000

	// keptBytes and keptGrowth bound the rows of rejections that an import leaves: so many bytes, and as many times what
	// was sent. An object of two bytes has five violations, and compression makes it smaller still. Files of people are far
	// below: a rejected record takes some 600 bytes, and was 30 or more on its way even where it was compressed.
	keptBytes  = 16 << 10
	keptGrowth = 75

	// rowBytes is about what a row of bad_users takes with its indexes, without its texts; violationBytes is that of a
	// violation in it.
	rowBytes       = 300
	violationBytes = 50
)

// keptRejections decides which rejections of an import are kept in full. Beyond its bounds they are only counted.
type keptRejections struct {
	noRecords int   // that were kept
	room      int64 // bytes that are left
}

func newKeptRejections(request *ports.ImportRequest) keptRejections {
	sent := request.Sent
	if sent == 0 {
		sent = request.File.Size()
	}
	return keptRejections{room: keptBytes + keptGrowth*sent}
}

// reject returns the rejection of a record. One that is only counted has neither a description nor the original.
func (k *keptRejections) reject(o *domain.Record, violations domain.Violations, sentences ports.Sentences) domain.Rejection {
	counted := domain.Rejection{Record: o.Number, Violations: violations, CountedOnly: true}
	isRecord := !violations.OfNoRecord()
	if isRecord && k.room < 0 || !isRecord && k.noRecords == maxNoRecords {
		return counted
	}
	kept := domain.Rejection{
		Record: o.Number, Login: o.Login, Violations: violations, Description: sentences.Describe(violations), Original: o.Original,
	}
	k.room -= int64(rowBytes + violationBytes*len(violations) + 2*len(kept.Login) + len(kept.Description) + len(kept.Original))
	if !isRecord {
		k.noRecords++
	}
	return kept
}
