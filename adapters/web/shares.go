package web

import (
	"net"
	"net/netip"
	"sync"
)

// shareOfConnections is which part of all connections one address may have.
const shareOfConnections = 10

// shares counts the open connections of each address, none of which may have more than its share. Proxies are trusted, and may:
// theirs are the connections of many.
type shares struct {
	most    int
	isProxy func(netip.Addr) bool

	mu   sync.Mutex
	open map[netip.Prefix]int
}

func newShares(connections int, isProxy func(netip.Addr) bool) *shares {
	return &shares{most: max(1, connections/shareOfConnections), isProxy: isProxy, open: map[netip.Prefix]int{}}
}

// take counts a connection until it is given back. It returns ok unless its address has its share.
func (s *shares) take(remote net.Addr) (address netip.Prefix, giveBack func(), ok bool) {
	tcp, isTCP := remote.(*net.TCPAddr)
	if !isTCP || s.isProxy(tcp.AddrPort().Addr().Unmap()) {
		return address, func() {}, true
	}
	address = networkOf(tcp.AddrPort().Addr(), clientBits)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[address] >= s.most {
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
