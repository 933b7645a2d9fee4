package web

// Routes returns every route as "METHOD path", but for the HEAD that each GET has beside it.
func (s *Server) Routes() (routes []string) {
	for _, route := range s.app.GetRoutes(true) {
		if route.Method != "HEAD" {
			routes = append(routes, route.Method+" "+route.Path)
		}
	}
	return routes
}
