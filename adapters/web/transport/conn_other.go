//go:build !linux

package transport

import "golang.org/x/sys/unix"

// isHungUp reports whether the connection of a socket is broken. It does not detect an orderly close by the peer.
func isHungUp(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd)}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0 && poll[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
}
