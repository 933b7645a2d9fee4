package pages

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

	"rollcall/adapters/web/urls"
)

// assetMaxAge is the time for which browsers keep a static file. Its address changes with its content.
const assetMaxAge = 365 * 24 * time.Hour

// Assets are the static files.
type Assets struct {
	files    fs.FS
	versions map[string]string // by name: the beginning of a hash
}

// NewAssets reads the static files.
func NewAssets(files fs.FS) (Assets, error) {
	versions := map[string]string{}
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
		return Assets{}, fmt.Errorf("read static files: %w", err)
	}
	return Assets{files, versions}, nil
}

func (a Assets) url(name string) (string, error) {
	version, found := a.versions[name]
	if !found {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return urls.Static + name + "?v=" + version, nil
}

// Serve returns a handler that answers GET /static/NAME with a file.
func (a Assets) Serve() fiber.Handler {
	return filesystem.New(filesystem.Config{
		Root: http.FS(a.files), MaxAge: int(assetMaxAge.Seconds()),
		Next: func(c *fiber.Ctx) bool {
			_, found := a.versions[strings.TrimPrefix(c.Path(), urls.Static)]
			return !found
		},
	})
}
