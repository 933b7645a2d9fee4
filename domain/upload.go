package domain

// UploadState is the state of an uploaded file's import.
type UploadState string

// The states of uploads.
const (
	UploadUnclear   UploadState = "unclear"   // the encoding of the file is unclear, and the user decides
	UploadChecking  UploadState = "checking"  // a dry run is waiting or running
	UploadChecked   UploadState = "checked"   // the dry run is done, and the user decides
	UploadImporting UploadState = "importing" // the import or the bulk change is waiting or running
	UploadImported  UploadState = "imported"  // or a bulk change is done
	UploadFailed    UploadState = "failed"    // no record was registered
	UploadCancelled UploadState = "cancelled" // no record was registered
)

// NeedsJob reports whether an upload in this state waits for a job rather than for its user.
func (s UploadState) NeedsJob() bool { return s == UploadChecking || s == UploadImporting }

// NeedsUser reports whether an upload in this state waits for a decision of its user.
func (s UploadState) NeedsUser() bool { return s == UploadUnclear || s == UploadChecked }

// IsUndecided reports whether an upload in this state waits for a dry run or for a decision of its user.
func (s UploadState) IsUndecided() bool { return s == UploadChecking || s.NeedsUser() }

// IsOver reports whether an upload in this state never needs its file again.
func (s UploadState) IsOver() bool { return !s.NeedsJob() && !s.NeedsUser() }

// An UploadFailure is the reason why an upload has failed, or was cancelled by the server. Failures are stable: they are stored, and
// translated at the edge.
type UploadFailure string

// The failures of uploads.
const (
	UploadBroken         UploadFailure = "broken_file"
	UploadTooManyRecords UploadFailure = "too_many_objects"
	UploadTooSlow        UploadFailure = "too_slow"
	UploadInternal       UploadFailure = "internal"
	UploadReplaced       UploadFailure = "replaced" // cancelled: newer uploads of its user have taken its place

	// UploadSelectionChanged is the failure of a bulk change whose selection has another number of users than was confirmed.
	UploadSelectionChanged UploadFailure = "selection_changed"
)
