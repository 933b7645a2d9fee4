package web

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"rollcall/ports"
)

const (
	// registeringAtOnce is how many registrations of one address are worked on at a time.
	registeringAtOnce = 2

	// registeringPatience is how long others of that address wait at least, and half as long as at most: those who came
	// together must not be told together that they came in vain.
	registeringPatience = 10 * time.Second

	// failurePause is how long a registration that failed keeps its place, where few addresses have some. A person reads
	// meanwhile what is wrong.
	failurePause = time.Second

	// fewAddresses is how many that are. Of more, each keeps its place for longer, so that all together fail no more often.
	fewAddresses = 50
)

// siteBits is how much of an IPv6 address is one site's, which may give each of its clients a network.
const siteBits = 48

// boundRegistrations lets few registrations of one address in at a time, and after those that fail no other for a while. A
// flood then waits in memory, where it costs nothing. Of the processors it gets what two requests a second of an address and
// a hundred of all addresses take, forms that are forged or break a rule included.
func (p *pages) boundRegistrations(c *fiber.Ctx) (err error) {
	ctx, cancel := context.WithTimeout(c.UserContext(), registeringPatience+rand.N(registeringPatience))
	defer cancel()
	leave, err := p.registrationSlots.take(ctx, networkOf(clientIP(c, p.isProxy), siteBits))
	if err != nil {
		return err
	}
	failed := true // also by a panic
	defer func() {
		if failed {
			time.AfterFunc(failurePause*time.Duration(1+p.registrationSlots.addresses()/fewAddresses), leave)
		} else {
			leave()
		}
	}()
	err = c.Next()
	failed = err != nil || c.Response().StatusCode() >= fiber.StatusBadRequest
	return err
}

// places are some for each address. They cost nothing for an address that has nobody in them.
type places struct {
	each int

	mu sync.Mutex
	of map[netip.Prefix]*addressPlaces
}

type addressPlaces struct {
	taken chan struct{}
	users int // that have a place or wait for one
}

func newPlaces(each int) *places { return &places{each: each, of: map[netip.Prefix]*addressPlaces{}} }

// addresses is how many have a place or wait for one.
func (p *places) addresses() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.of)
}

// take waits for a place of an address, in the order in which others of it came. It returns ports.ErrBusy when ctx ends first.
func (p *places) take(ctx context.Context, address netip.Prefix) (leave func(), err error) {
	p.mu.Lock()
	own := p.of[address]
	if own == nil {
		own = &addressPlaces{taken: make(chan struct{}, p.each)}
		p.of[address] = own
	}
	own.users++
	p.mu.Unlock()
	forget := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		own.users--
		if own.users == 0 {
			delete(p.of, address)
		}
	}
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; forget() }, nil
	case <-ctx.Done():
		forget()
		return nil, fmt.Errorf("%w: too many requests of one address: %w", ports.ErrBusy, ctx.Err())
	}
}
