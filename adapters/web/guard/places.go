package guard

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
	// registrationsPerSite is the number of registrations of one site that run concurrently.
	registrationsPerSite = 2

	// registrationPatience is the minimum time that further registrations of a site wait. Each waits up to twice as long, at random, so
	// that those which arrive together are not rejected together.
	registrationPatience = 10 * time.Second

	// failurePause is the time for which a failed registration keeps its place, while few sites have places. A person reads the errors
	// meanwhile.
	failurePause = time.Second

	// fewSites is the number of sites for which failurePause holds. With more sites, each failure keeps its place for longer, so that
	// the failures of all sites together do not become more frequent.
	fewSites = 50

	// siteBits is the length of the IPv6 prefix that counts as one site, which may give each of its clients a network.
	siteBits = 48
)

// BoundRegistrations returns a handler that runs few registrations of one site concurrently, and after a failed one none for a while. A
// flood then waits in memory, where it costs little. It gets the processor time of two requests a second for each site, and of a
// hundred for all sites, including forms that are forged or break a rule.
func (g *Guard) BoundRegistrations() fiber.Handler {
	places := NewPlaces(registrationsPerSite)
	return func(c *fiber.Ctx) error {
		ctx, cancel := context.WithTimeout(c.UserContext(), registrationPatience+rand.N(registrationPatience))
		defer cancel()
		leave, err := places.Take(ctx, g.Proxies.ClientNetwork(c, siteBits))
		if err != nil {
			return err
		}
		failed := true // also after a panic
		defer func() {
			if failed {
				time.AfterFunc(failurePause*time.Duration(1+places.Sites()/fewSites), leave)
			} else {
				leave()
			}
		}()
		err = c.Next()
		failed = err != nil || c.Response().StatusCode() >= fiber.StatusBadRequest
		return err
	}
}

// Places are a number of places for each site. A site without requests takes no memory.
type Places struct {
	each int

	mu    sync.Mutex
	sites map[netip.Prefix]*sitePlaces
}

type sitePlaces struct {
	taken chan struct{}
	users int // that have a place or wait for one
}

// NewPlaces returns places of which each site has the given number.
func NewPlaces(each int) *Places { return &Places{each: each, sites: map[netip.Prefix]*sitePlaces{}} }

// Sites returns the number of sites that have a place or wait for one.
func (p *Places) Sites() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sites)
}

// Take waits for a place of a site. Calls get places in their order. It returns ports.ErrBusy if ctx ends first.
func (p *Places) Take(ctx context.Context, site netip.Prefix) (leave func(), err error) {
	p.mu.Lock()
	own := p.sites[site]
	if own == nil {
		own = &sitePlaces{taken: make(chan struct{}, p.each)}
		p.sites[site] = own
	}
	own.users++
	p.mu.Unlock()
	forget := func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		own.users--
		if own.users == 0 {
			delete(p.sites, site)
		}
	}
	select {
	case own.taken <- struct{}{}:
		return func() { <-own.taken; forget() }, nil
	case <-ctx.Done():
		forget()
		return nil, fmt.Errorf("%w: too many requests of one site: %w", ports.ErrBusy, ctx.Err())
	}
}
