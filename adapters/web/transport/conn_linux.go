package transport

import "golang.org/x/sys/unix"

// isHungUp reports whether the peer of a socket has closed its sending side. Earlier bytes may still be unread.
func isHungUp(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}
