package arch_test

import (
	"bytes"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rollcall/bootstrap"
)

// flagName is a flag, in documents and in the help of the program.
var flagName = regexp.MustCompile(`--[a-z][a-z-]+`)

// flagsOfOthers are those of curl and LibreOffice.
var flagsOfOthers = []string{"--json", "--data-binary", "--data-urlencode", "--headless", "--convert-to"}

func TestDocumentsNameFlagsOfTheProgram(t *testing.T) {
	known := slices.Clone(flagsOfOthers)
	for _, command := range []string{"serve", "migrate", "user", "send", "token create", "audit"} {
		var help bytes.Buffer
		require.Zero(t, bootstrap.Run(t.Context(), append(strings.Fields(command), "--help"), strings.NewReader(""), &help, &help))
		known = append(known, flagName.FindAllString(help.String(), -1)...)
	}
	tree := os.DirFS("../..")
	for _, pattern := range append(slices.Clone(documents), "views/openapi.yaml", "adapters/i18n/*.json") {
		names, err := fs.Glob(tree, pattern)
		require.NoError(t, err)
		require.NotEmpty(t, names, pattern)
		for _, name := range names {
			source, err := fs.ReadFile(tree, name)
			require.NoError(t, err)
			text, _, _ := strings.Cut(string(source), "{#renamed-flags}")
			text, _, _ = strings.Cut(text, "\n## Renamed flags\n")
			for _, flag := range flagName.FindAllString(text, -1) {
				require.Contains(t, known, flag, name)
			}
		}
	}
}
