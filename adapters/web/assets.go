package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/filesystem"
)

// assetMaxAge is how long browsers keep a static file. Its address changes with its content.
const assetMaxAge = 365 * 24 * time.Hour

// assets has a version for each static file: the beginning of its hash.
type assets map[string]string

func newAssets(files fs.FS) (assets, error) {
	versions := assets{}
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(content)
		versions[name] = hex.EncodeToString(sum[:6])
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	return versions, nil
}

func (a assets) url(name string) (string, error) {
	version, found := a[name]
	if !found {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return pathStatic + name + "?v=" + version, nil
}

// serveAssets answers GET /static/... for files, and for nothing else.
func (p *pages) serveAssets() fiber.Handler {
	return filesystem.New(filesystem.Config{
		Root: http.FS(p.files), MaxAge: int(assetMaxAge.Seconds()),
		Next: func(c *fiber.Ctx) bool {
			_, found := p.assets[strings.TrimPrefix(c.Path(), pathStatic)]
			return !found
		},
	})
}
