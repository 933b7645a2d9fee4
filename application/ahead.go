package application

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// ahead runs seq in a goroutine of its own, one value ahead of whoever ranges over it: a batch is decoded and checked
// while the database takes the one before. When the range ends, so has the
// goroutine. A panic in seq is yielded as an error: nobody else would catch it there.
func ahead[T any](seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	type item struct {
		value T
		err   error
	}
	return func(yield func(T, error) bool) {
		items, stop := make(chan item), make(chan struct{})
		send := func(value T, err error) bool {
			select {
			case items <- item{value, err}:
				return true
			case <-stop:
				return false
			}
		}
		go func() {
			defer close(items)
			defer func() {
				if p := recover(); p != nil {
					var none T
					send(none, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
				}
			}()
			seq(send)
		}()
		defer func() {
			close(stop)
			for range items { // until the goroutine has ended
			}
		}()
		for it := range items {
			if !yield(it.value, it.err) {
				return
			}
		}
	}
}
