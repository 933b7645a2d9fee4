package bootstrap_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A token crosses no network in plain text, unless its owner says so.
func TestSendKeepsTokenFromNetwork(t *testing.T) {
	const token = "rollcall_token"
	file := fileOf(t, "token", token+"\n")
	none := script(t)
	port := none.url[strings.LastIndex(none.url, ":"):]
	for _, host := range []string{"0.0.0.0", "example.com", "10.0.0.1", "[2001:db8::1]", "localhost.example.com", "127.0.0.1.example.com"} {
		for _, flag := range []string{"--token=" + token, "--token-file=" + file} {
			got := none.send(t, "[]", "--server", "http://"+host+port, flag, "-")
			require.ErrorContains(t, got.err, "over plain HTTP", host)
			require.NotContains(t, got.err.Error(), token)
		}
	}
	require.Empty(t, none.requests)

	for _, c := range []struct{ host, flag string }{ // 0.0.0.0 is this machine too, which 'send' does not know
		{"0.0.0.0", "--insecure"}, {"localhost", "--strict"}, {"127.0.0.1", "--strict"}, {"[::ffff:127.0.0.1]", "--strict"},
	} {
		s := script(t, inLines(200, annaLine+doneLine))
		got := s.send(t, "[]", "--server", "http://"+c.host+s.url[strings.LastIndex(s.url, ":"):], "--token-file", file, c.flag, "-")
		require.NoError(t, got.err, c.host)
		require.Equal(t, "Bearer "+token, s.requests[0].Header.Get("Authorization"))
	}
	s := script(t, inLines(200, annaLine+doneLine))
	require.NoError(t, s.send(t, "[]", "--server", "http://0.0.0.0"+s.url[strings.LastIndex(s.url, ":"):], "-").err, "without a token")

	got := none.send(t, "[]", "--server", "http://Rollcall.LOCALHOST.:1", "--retry-for", "0", "--token", token, "-")
	require.NotContains(t, got.stderr, "over plain HTTP")
	got = none.send(t, "[]", "--server", "https://127.0.0.1:1", "--retry-for", "0", "--token", token, "-")
	require.NotContains(t, got.stderr, "over plain HTTP")
}
