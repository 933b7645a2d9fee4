package transport

import (
	"net"
	"net/netip"
	"sync"
)

// shareOfConnections is the divisor that gives the connections of one address: a tenth of all.
const shareOfConnections = 10

// shares counts the open connections of each address, and bounds them. It does not bound trusted proxies, whose connections belong to
// many clients.
type shares struct {
	limit   int
	proxies Proxies

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newShares(connections int, proxies Proxies) *shares {
	return &shares{limit: max(1, connections/shareOfConnections), proxies: proxies, open: map[netip.Prefix]int{}}
}

// take counts a connection until giveBack is called. It reports false if the address already has its share.
func (s *shares) take(remote net.Addr) (address netip.Prefix, giveBack func(), ok bool) {
	tcp, isTCP := remote.(*net.TCPAddr)
	if !isTCP || s.proxies.Trust(tcp.AddrPort().Addr().Unmap()) {
		return address, func() {}, true
	}
	address = networkOf(tcp.AddrPort().Addr(), clientBits)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[address] >= s.limit {
		return address, nil, false
	}
	s.open[address]++
	return address, sync.OnceFunc(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open[address]--
		if s.open[address] == 0 {
			delete(s.open, address)
		}
	}), true
}
