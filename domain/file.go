package domain

// FileFormat names a format of files of people.
type FileFormat string

// The formats of files.
const (
	FormatJSON   FileFormat = "json"   // an object, or an array of them
	FormatNDJSON FileFormat = "ndjson" // an object on each line
	FormatCSV    FileFormat = "csv"    // with a header; separated by commas, semicolons or tabs
	FormatXLSX   FileFormat = "xlsx"   // the first sheet of a workbook, with a header
)

// FileHint is what a sender says of a file.
type FileHint struct {
	Format  FileFormat // empty when it is to be found out
	Name    string     // of an uploaded file; empty when it has none
	Charset string     // of its texts; empty when it is to be found out
}

// FileLayout is how a file was understood.
type FileLayout struct {
	Format    FileFormat
	Encoding  string       // of its texts, as IANA calls it: "utf-8", "windows-1251"
	Delimiter rune         // between the fields of CSV; 0 in other formats
	Columns   []FileColumn // in their order; in JSON the keys of the first objects, in the order in which they appear
	Rows      [][]string   // the first objects, a text for each column
}

// FileColumn is a column of a file.
type FileColumn struct {
	Header string // as it stands in the file
	Field  Field  // what it holds; FieldObject for what is ignored
}
