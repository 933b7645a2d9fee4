package application

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"time"

	"rollcall/domain"
	"rollcall/ports"
)

// nameBuckets returns the buckets that an attempt to sign in is taken from. An attempt that succeeds is put back, so people
// who know their passwords meet no limit, however many share an address. Those who guess meet all three kinds: the first
// keeps one address from trying one name, and leaves that name to its owner, who is elsewhere; the second bounds all the
// world's guesses at one name, and keeps nobody out for longer than its refill once they end; the third is of addresses.
//
// Buckets belong to what was entered, whether there is such an account or not: when they are empty tells nothing of who is
// registered, nor whether two names are one person's. The price is that a person with a login, an email and a phone can be
// guessed at three times as often, 30 times from one address. Each spelling of a name has the same keys.
func nameBuckets(identity domain.Identity, name, address string) []ports.Bucket {
	buckets := addressBuckets(address)
	for _, name := range namesOf(identity, name) {
		buckets = append(buckets,
			ports.Bucket{Key: name + " from " + address, Size: 10, Refill: time.Minute},
			ports.Bucket{Key: name, Size: 100, Refill: 6 * time.Second})
	}
	return buckets
}

// namesOf returns what was entered, by each key that it has. A name of no kind is counted as it was entered.
func namesOf(identity domain.Identity, name string) (names []string) {
	for _, key := range [][2]string{{"login ", identity.Login}, {"email ", identity.Email}, {"phone ", identity.Phone}} {
		if key[1] != "" {
			names = append(names, key[0]+key[1])
		}
	}
	if names == nil {
		names = []string{"text " + domain.LoginKey(name)}
	}
	return names
}

// siteBits is how much of an IPv6 address is usually one site's, which then has 65,536 networks to come from.
const siteBits = 48

// addressBuckets returns the buckets of an address: its own, and for an IPv6 network that of the site around it.
func addressBuckets(address string) []ports.Bucket {
	buckets := []ports.Bucket{{Key: "address " + address, Size: 300, Refill: 5 * time.Second}}
	if site, ok := siteOf(address); ok {
		buckets = append(buckets, ports.Bucket{Key: "site " + site, Size: 3000, Refill: 500 * time.Millisecond})
	}
	return buckets
}

// siteOf returns the site around an IPv6 network.
func siteOf(address string) (site string, ok bool) {
	network, err := netip.ParsePrefix(address)
	if err != nil || network.Bits() <= siteBits {
		return "", false
	}
	return netip.PrefixFrom(network.Addr(), siteBits).Masked().String(), true
}

// ownBucket is of attempts by a user who is signed in, and need be hidden from nobody.
func ownBucket(user *domain.User) ports.Bucket {
	return ports.Bucket{Key: "password of user " + strconv.FormatInt(user.ID, 10), Size: 10, Refill: time.Minute}
}

// attempt takes an attempt out of each of its buckets, and puts it back when it succeeds, or was not made: a busy server must
// not lock out whoever tries again.
func (a *Auth) attempt(ctx context.Context, buckets []ports.Bucket, try func() error) error {
	wait, err := a.with.Limits.Take(ctx, buckets...)
	if err != nil {
		return fmt.Errorf("count attempt: %w", err)
	}
	if wait > 0 {
		return &domain.TooManyAttemptsError{Wait: wait}
	}
	failed := try()
	if failed != nil && !errors.Is(failed, ports.ErrBusy) {
		return failed
	}
	err = a.with.Limits.Return(ctx, buckets...)
	if err != nil {
		return errors.Join(failed, fmt.Errorf("return attempt: %w", err))
	}
	return failed
}
