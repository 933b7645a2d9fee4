package bootstrap

import (
	"context"
	"log/slog"
	"net"
	"net/url"
	"strconv"

	"rollcall/ports"
)

// logSetupLink logs a link that makes a user the first operator, if there is no operator yet. It is the only secret in the log, and
// works once.
func (cmd *serveCommand) logSetupLink(ctx context.Context, setup ports.SettingUp, address net.Addr, log *slog.Logger) error {
	code, err := setup.NewCode(ctx)
	if err != nil || code == "" {
		return err
	}
	link := url.URL{Scheme: cmd.scheme(), Host: address.String(), Path: "/setup", RawQuery: "code=" + code}
	switch tcp, _ := address.(*net.TCPAddr); {
	case len(cmd.Hosts) > 0 && !isLoopback(address): // the server answers to no other names
		link.Host = net.JoinHostPort(string(cmd.Hosts[0]), strconv.Itoa(tcp.Port))
	case tcp.IP.IsUnspecified():
		link.Host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	log.Info("no operator yet; open this link to become the first one, with the public host name if the server has one", "url", link.String())
	return nil
}
