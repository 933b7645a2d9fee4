package domain

import (
	"errors"
	"fmt"
)

// A FileKind is a kind of file that is no list of people. Kinds are stable: programs know them, and they are translated at the edge.
type FileKind string

// The kinds of files.
const (
	FileOldWorkbook       FileKind = "old_workbook" // of Excel before 2007
	FileBinaryWorkbook    FileKind = "binary_workbook"
	FileEncryptedWorkbook FileKind = "encrypted_workbook"
	FileOpenDocument      FileKind = "opendocument" // a spreadsheet
	FileNumbers           FileKind = "numbers"
	FileHTML              FileKind = "html"
	FileXML               FileKind = "xml"
	FilePDF               FileKind = "pdf"
	FileVCard             FileKind = "vcard"
	FileEmail             FileKind = "email" // a message, or a mailbox
	FileLink              FileKind = "link"  // to a document on the web
	FileSYLK              FileKind = "sylk"
	FileDIF               FileKind = "dif"
	FileLDIF              FileKind = "ldif"
	FileSQL               FileKind = "sql"
	FileConfig            FileKind = "config"      // YAML, TOML, INI
	FileFixedWidth        FileKind = "fixed_width" // a table whose columns are aligned with blanks
	FileRTF               FileKind = "rtf"
	FileDocument          FileKind = "document" // of a word processor, or a presentation
	FileArchive           FileKind = "archive"
	FileImage             FileKind = "image"
	FileDatabase          FileKind = "database"
	FileUTF7              FileKind = "utf7"
	FileBinary            FileKind = "binary"        // of another kind
	FileWrappedArray      FileKind = "wrapped_array" // an object in JSON that has the array of people as a member
)

// FileKinds returns every kind.
func FileKinds() []FileKind {
	return []FileKind{
		FileOldWorkbook, FileBinaryWorkbook, FileEncryptedWorkbook, FileOpenDocument, FileNumbers, FileHTML, FileXML, FilePDF, FileVCard,
		FileEmail, FileLink, FileSYLK, FileDIF, FileLDIF, FileSQL, FileConfig, FileFixedWidth, FileRTF, FileDocument, FileArchive, FileImage, FileDatabase, FileUTF7, FileBinary, FileWrappedArray,
	}
}

// ErrUnsupportedFile is returned for a file that is no list of people. It is an ErrBrokenFile, too.
var ErrUnsupportedFile = errors.New("file is of an unsupported kind")

// An UnsupportedFileError names the kind of a file that is no list of people.
type UnsupportedFileError struct {
	Kind FileKind
	Key  string // of the member that has the array, fit to show; empty for other kinds
}

func (e *UnsupportedFileError) Error() string {
	return fmt.Sprintf("%v: %s", ErrUnsupportedFile, e.Kind)
}

// Unwrap returns ErrUnsupportedFile and ErrBrokenFile.
func (e *UnsupportedFileError) Unwrap() []error { return []error{ErrUnsupportedFile, ErrBrokenFile} }
