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

// nameBuckets returns the buckets from which an attempt to sign in is taken. A successful attempt is returned, so users who know their
// passwords meet no limit, however many share an address. Guesses meet three limits:
//   - The first bounds the guesses of one address at one name. The user of that name, at another address, is not affected.
//   - The second bounds all guesses at one name. Once they end, its user waits for no more than one refill.
//   - The third bounds the guesses of one address.
//
// Buckets belong to the entered name, whether there is such an account or not. So their limits do not reveal which names are registered,
// nor whether two names belong to one user. The price is that a user with a login, an email and a phone can be guessed at three times as
// often, 30 times from one address. Every spelling of a name has the same keys.
func nameBuckets(identity domain.Identity, name, address string) []ports.Bucket {
	buckets := addressBuckets(address)
	for _, name := range namesOf(identity, name) {
		buckets = append(buckets,
			ports.Bucket{Key: name + " from " + address, Size: 10, Refill: time.Minute},
			ports.Bucket{Key: name, Size: 100, Refill: 6 * time.Second})
	}
	return buckets
}

// namesOf returns each key of an entered name. A name that is no login, email or phone counts as it was entered.
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

// siteBits is the usual prefix length of one site in IPv6. A site has 65,536 networks.
const siteBits = 48

// addressBuckets returns the bucket of an address, and for an IPv6 network that of its site.
func addressBuckets(address string) []ports.Bucket {
	buckets := []ports.Bucket{{Key: "address " + address, Size: 300, Refill: 5 * time.Second}}
	if site, ok := siteOf(address); ok {
		buckets = append(buckets, ports.Bucket{Key: "site " + site, Size: 3000, Refill: 500 * time.Millisecond})
	}
	return buckets
}

// siteOf returns the site of an IPv6 network.
func siteOf(address string) (site string, ok bool) {
	network, err := netip.ParsePrefix(address)
	if err != nil || network.Bits() <= siteBits {
		return "", false
	}
	return netip.PrefixFrom(network.Addr(), siteBits).Masked().String(), true
}

// ownBucket returns the bucket of a signed-in user.
func ownBucket(user *domain.User) ports.Bucket {
	return ports.Bucket{Key: "password of user " + strconv.FormatInt(user.ID, 10), Size: 10, Refill: time.Minute}
}

// attempt takes an attempt from each of its buckets, and returns it if it succeeds. It also returns an attempt that a busy server did not
// make, so that retries do not lock out the user.
func (a *Auth) attempt(ctx context.Context, buckets []ports.Bucket, try func() error) error {
	wait, err := a.cfg.Limits.Take(ctx, buckets...)
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
	err = a.cfg.Limits.Return(ctx, buckets...)
	if err != nil {
		return errors.Join(failed, fmt.Errorf("return attempt: %w", err))
	}
	return failed
}
