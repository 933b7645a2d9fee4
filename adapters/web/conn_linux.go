package web

import "golang.org/x/sys/unix"

// isHungUp reports whether the other side of a socket sends nothing any more. What it sent before may be unread.
func isHungUp(fd uintptr) bool {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	n, err := unix.Poll(poll, 0)
	return err == nil && n > 0
}
