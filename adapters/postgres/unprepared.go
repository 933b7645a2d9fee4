package postgres

import (
	"context"
	"database/sql/driver"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// unprepared makes connections for Bun, which writes values into its statements: hardly two are the same. If pgx prepared
// them, each would take one more round trip, and hundreds would stay in the server's memory, with logins and hashes in them.
type unprepared struct{ driver.Connector }

// Connect implements driver.Connector.
func (u unprepared) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := u.Connector.Connect(ctx)
	if prepares, ok := conn.(*stdlib.Conn); ok {
		return unpreparedConn{prepares}, nil
	}
	return conn, err
}

type unpreparedConn struct{ *stdlib.Conn }

// QueryContext implements driver.QueryerContext. What is executed without arguments pgx does not prepare anyway.
func (c unpreparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.Conn.QueryContext(ctx, query, append([]driver.NamedValue{{Value: pgx.QueryExecModeExec}}, args...))
}
