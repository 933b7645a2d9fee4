package localpg_test

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A client implements the part of PostgreSQL's protocol that these tests need. Only adapters/postgres may import a driver.
type client struct {
	net.Conn

	r *bufio.Reader
}

// socketOf returns the path of the socket in a connection string.
func socketOf(connection string) (string, error) {
	u, err := url.Parse(connection)
	if err != nil {
		return "", err
	}
	return filepath.Join(u.Query().Get("host"), ".s.PGSQL."+u.Query().Get("port")), nil
}

func dial(connection string) (*client, error) {
	socket, err := socketOf(connection)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(connection)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	c := &client{conn, bufio.NewReader(conn)}
	startup := binary.BigEndian.AppendUint32(nil, 3<<16) // the protocol's version
	startup = fmt.Appendf(startup, "user\x00%s\x00database\x00%s\x00\x00", u.User.Username(), strings.TrimPrefix(u.Path, "/"))
	_, err = c.exchange(startup)
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return c, nil
}

// query returns the rows, with spaces between the columns.
func (c *client) query(sql string) ([]string, error) {
	_, err := c.Write([]byte{'Q'})
	if err != nil {
		return nil, err
	}
	return c.exchange(append([]byte(sql), 0))
}

// exchange sends the body of a message, and reads until the server is ready for another.
func (c *client) exchange(body []byte) ([]string, error) {
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+4)), body...))
	var rows []string
	var failed error
	for err == nil {
		var head [5]byte
		_, err = io.ReadFull(c.r, head[:])
		if err != nil {
			break
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		_, err = io.ReadFull(c.r, body)
		switch head[0] {
		case 'D':
			rows = append(rows, row(body))
		case 'E':
			failed = fmt.Errorf("server says %q", bytes.Split(body, []byte{0}))
		case 'Z':
			return rows, failed
		}
	}
	return nil, errors.Join(failed, err)
}

func row(body []byte) string {
	var columns []string
	for body = body[2:]; len(body) > 0; {
		size := int32(binary.BigEndian.Uint32(body))
		body = body[4:]
		columns = append(columns, string(body[:max(0, size)]))
		body = body[max(0, size):]
	}
	return strings.Join(columns, " ")
}

// query returns the rows of a statement.
func query(t *testing.T, connection, sql string) []string {
	t.Helper()
	c, err := dial(connection)
	require.NoError(t, err)
	defer c.Close()
	rows, err := c.query(sql)
	require.NoError(t, err)
	return rows
}
