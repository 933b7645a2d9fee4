package api

import (
	"rollcall/domain"
	"rollcall/ports"
)

// notes are the parts of a file that an import has ignored, as JSON.
type notes struct {
	PassedOver []string        `json:"passed_over,omitempty"`
	Ignored    []ignoredColumn `json:"ignored,omitempty"`
	Sheets     []string        `json:"skipped_sheets,omitempty"`
	HiddenRows int             `json:"hidden_rows,omitempty"`
}

type ignoredColumn struct {
	Column  string       `json:"column"`
	Like    domain.Field `json:"like,omitempty"`
	Instead string       `json:"instead,omitempty"`
}

func newNotes(of *ports.FileNotes) notes {
	n := notes{PassedOver: of.PassedOver, Sheets: of.Sheets, HiddenRows: of.HiddenRows}
	for _, it := range of.Ignored {
		n.Ignored = append(n.Ignored, ignoredColumn{it.Header, it.Like, it.Instead})
	}
	return n
}
