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

// chunks yields the values of a sequence in slices, the last of which may be shorter.
func chunks[T any](seq iter.Seq2[T, error], size int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		chunk := make([]T, 0, size)
		for value, err := range seq {
			if err != nil {
				_ = yield(chunk, nil) && yield(nil, err)
				return
			}
			chunk = append(chunk, value)
			if len(chunk) == size {
				if !yield(chunk, nil) {
					return
				}
				chunk = make([]T, 0, size)
			}
		}
		yield(chunk, nil)
	}
}

// flat yields the values of chunks.
func flat[T any](seq iter.Seq2[[]T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for chunk, err := range seq {
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, value := range chunk {
				if !yield(value, nil) {
					return
				}
			}
		}
	}
}
