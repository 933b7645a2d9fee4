package application

import (
	"fmt"
	"iter"
	"runtime/debug"
)

// ahead iterates over seq in a goroutine, one value ahead of the caller: a batch is decoded and checked while the database stores the
// previous one. The goroutine ends before the iteration does. A panic in seq is yielded as an error, because no caller could recover it.
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
			for range items { // wait for the end of the goroutine
			}
		}()
		for it := range items {
			if !yield(it.value, it.err) {
				return
			}
		}
	}
}

// chunks yields the values of a sequence in slices of a size. The last one may be shorter.
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

// flat yields the values of the slices of a sequence.
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
