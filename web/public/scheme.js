// Sets light or dark before anything is drawn. A file of its own, because inline scripts are refused.
(function () {
  function stored() {
    try {
      return localStorage.getItem('weft.scheme');
    } catch {
      return null;
    }
  }
  var wanted = stored();
  var dark =
    wanted === 'dark' ||
    (wanted !== 'light' && window.matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
