package report

// WithSheetRows returns a writer whose sheets have that many rows.
func (x XLSX) WithSheetRows(rows int) XLSX {
	x.sheetRows = rows
	return x
}

// WithSheetRows returns a writer whose sheets have that many rows.
func (x RejectedXLSX) WithSheetRows(rows int) RejectedXLSX {
	x.sheetRows = rows
	return x
}

// WithSheetRows returns a writer whose sheets have that many rows.
func (x CredentialsXLSX) WithSheetRows(rows int) CredentialsXLSX {
	x.sheetRows = rows
	return x
}
