package problem

// Errors returns the errors of the table.
func Errors() []error {
	all := make([]error, len(table))
	for i, known := range table {
		all[i] = known.err
	}
	return all
}
